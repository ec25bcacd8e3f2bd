"""What lawyers and operators do with the rulebook: check, prove, show, compare, explain."""
