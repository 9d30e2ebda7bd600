"""Line attractors of networks that integrate."""
