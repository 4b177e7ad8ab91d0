"""What a crash may leave: every judge has a name and can be switched off."""
