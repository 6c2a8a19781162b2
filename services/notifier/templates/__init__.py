"""The texts of messages, as data shipped with the service: ids, numbers, codes and times, never a word of an appeal."""
