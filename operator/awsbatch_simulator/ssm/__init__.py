"""AWS Systems Manager: Parameter Store, with AWS's public parameters and the account's own."""
