"""Are the pictures right? What smart_crop keeps, what upscale restores, what remove_background cuts out."""
