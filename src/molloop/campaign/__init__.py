"""The loop: events add up to a state, a schedule turns it into actions, the driver acts."""
