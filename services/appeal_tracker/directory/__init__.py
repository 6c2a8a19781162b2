"""Units and staff as heard: copies of what visit_api owns, as far as they have arrived."""
