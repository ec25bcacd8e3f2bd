"""The checks of `netral doctor`: each finds one thing to be right, doubtful or broken, and knows the cure."""
