"""What anybody may ask: cached once, authorised once, priced once. No Streamlit here, and nothing that draws."""
