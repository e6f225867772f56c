"""What an image, a request and a job cost, and how many machines many of them need."""
