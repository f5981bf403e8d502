"""What stands between the network and Streamlit, and the server's start and end."""
