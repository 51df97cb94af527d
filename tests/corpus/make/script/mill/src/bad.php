<?php
function x() {
  return [1, 2;  // «badtop3»
}
