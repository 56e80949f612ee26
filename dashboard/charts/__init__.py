"""Charts: a frame goes in, a Plotly figure comes out; nothing here knows Streamlit."""
