module Depot
  class Broken
    def size
      if true
    end
  end
