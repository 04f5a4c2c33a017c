"""Numbers to Plotly figures; nothing here knows Streamlit."""
