"""What pages say: sentences and frames computed from what was read, without Streamlit."""
