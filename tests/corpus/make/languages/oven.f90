program oven
  implicit none
  print *, 'oven 1.0 starting'
  call heat(1400)
contains
  subroutine heat(degrees)
    integer, intent(in) :: degrees
    if (degrees > 1300) error stop 'oven too hot'
  end subroutine
end program
