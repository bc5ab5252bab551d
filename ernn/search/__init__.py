"""Phase I: find the smallest model within a bound on its errors, in at most six trainings."""
