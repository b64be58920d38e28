"""Looks a service over; each finding says what to do. `DOCTOR.md` has the list of their ids."""
