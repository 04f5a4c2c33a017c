"""What happens while a network trains: the loop, its schedule, its images, its device."""
