"""What is checked of each exercise, a module a file; what is said to it stands in curriculum/mNN/exercises.yaml."""
