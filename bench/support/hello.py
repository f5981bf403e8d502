"""The smallest page that Streamlit can show: what starting is compared with."""

import streamlit as st

st.title("Hello")
