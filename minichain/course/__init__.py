"""The course: its lessons in the language and the edition that somebody needs."""
