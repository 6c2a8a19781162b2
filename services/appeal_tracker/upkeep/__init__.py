"""What newer code keeps beside an appeal, made up for where older code acted, while it was replaced or before."""
