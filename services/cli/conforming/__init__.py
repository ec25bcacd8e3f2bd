"""`netral conform`: what a receiver of our webhooks must do, tried against one."""
