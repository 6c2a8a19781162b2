"""What people wrote about a customer and an appeal, in their own words: sealed, beside the rows that it belongs to."""
