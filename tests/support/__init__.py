"""What tests share: products at a seam, not patches."""
