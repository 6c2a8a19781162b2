"""Who is away from when to when, and who stands in for them; asked at the moment of use."""
