class Bad
  def x
    [1, 2
  end
end
