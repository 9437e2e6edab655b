"""What can be set: a schema a section, and files that become a configuration."""
