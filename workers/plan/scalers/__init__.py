"""What starts and ends processes, one file a platform."""
