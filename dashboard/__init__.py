"""Wardlight dashboard: the Streamlit app that reads a release."""
