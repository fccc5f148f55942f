"""What makes a job do something: a script of settings, or a real local process."""
