"""What a release leaves to people: findings for the board."""
