"""Tasks: whom somebody is to call, and until when. What they are about is known to those above."""
