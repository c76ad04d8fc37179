"""Article files into segments: reading, boilerplate, dates, contacts masked, exact offsets."""
