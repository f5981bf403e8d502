"""IELTS arithmetic and judgements on plain frames and records: no AWS, no Streamlit, no clock of its own."""
