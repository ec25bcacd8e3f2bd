"""Push: brings what concerns an agency to the addresses it registered, without ever delaying a decision."""
