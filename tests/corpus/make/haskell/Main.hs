module Main (main) where

import System.Environment
import System.IO
import Tally

main :: IO ()
main = do
  hSetBuffering stdout LineBuffering
  [how] <- getArgs
  mapM_ (\box -> putStrLn ("[info] counted box " ++ show box)) [1 .. 4 :: Int]
  run how
