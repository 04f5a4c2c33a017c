"""What Streamlit does not have: live charts, grids of images, a page's own address."""
