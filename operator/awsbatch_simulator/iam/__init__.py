"""Who may do what: identity policies, and what each operation needs."""
