"""What experiments on one suite share: tasks, teachers, flags."""
