"""What all rooms share: values, and pure functions over them."""
