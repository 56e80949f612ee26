"""Wardlight pipeline: from source data to a published, explained release."""
