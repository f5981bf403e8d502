"""Streamlit widgets, tables and Plotly charts."""
