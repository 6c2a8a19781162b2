"""Clocks: what runs on an appeal or a visit, until when, and when its timers fire."""
