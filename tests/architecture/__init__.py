"""The house rules, each a short test with a message that says what to do."""
