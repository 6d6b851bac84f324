"""What is looked at where a level is not learned."""
