"""Looking at a run: Neuroglancer in the browser, and a report as one HTML file."""
