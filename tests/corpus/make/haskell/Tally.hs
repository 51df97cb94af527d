module Tally (run) where

import Control.Concurrent
import Control.Concurrent.STM
import Control.Exception
import Control.Monad
import Data.Array
import qualified Data.Map as M
import Data.Maybe (fromJust)
import GHC.Stack
import System.Environment
import System.Exit
import System.IO
import System.Process (callProcess)

data Lane = Lane {laneName :: String} | Closed {reason :: String}

ballots :: HasCallStack => String -> Int
ballots name = error ("no such candidate: " ++ name) -- culprit: ballots

seats :: HasCallStack => String -> Int
seats name = error ("no such candidate: " ++ name) -- culprit: seats

plain :: String -> Int
plain name = error ("plain: " ++ name) -- culprit: plain

only :: Int -> Int
only 1 = 2 -- culprit: only

deep :: HasCallStack => Int -> IO ()
deep 0 = print (ballots "deep")
deep n = deep (n - 1)

run :: String -> IO ()
run "ballots" = print (ballots "zoe")
run "seats" = print (seats "zoe")
run "plain" = print (plain "zoe")
run "head" = print (head (drop 1 [1 :: Int]))
run "just" = print (fromJust (lookup 3 [(1 :: Int, 2 :: Int)])) -- culprit: just
run "map" = print (M.fromList [(1 :: Int, 'a')] M.! 7)
run "only" = print (only 3)
run "lambda" = (\(Just x) -> print (x :: Int)) Nothing -- culprit: lambda
run "do" = do
  Just lane <- return (Nothing :: Maybe Int) -- culprit: do
  print lane
run "field" = putStrLn (laneName (Closed "x"))
run "undefined" = print (undefined :: Int) -- culprit: undefined
run "divide" = print (10 `div` length "")
run "user" = ioError (userError "ballots are wet")
run "file" = readFile "/etc/tally/none" >>= putStrLn
run "setting" = getEnv "TALLY_DATABASE_URL" >>= putStrLn
run "index" = print (listArray (0, 3) [1 :: Int ..] ! 9)
run "bang" = print ([1 :: Int, 2] !! 9)
run "loop" = let x = x + 1 :: Int in print x
run "read" = print (read "zz" :: Int)
run "mvar" = newEmptyMVar >>= \m -> takeMVar (m :: MVar ())
run "stm" = atomically retry
run "deep" = deep 3
run "async" = do
  answer <- newEmptyMVar
  _ <- forkIO (try (evaluate (ballots "zoe")) >>= putMVar answer)
  takeMVar answer >>= either (throwIO :: SomeException -> IO ()) print
run "thread" = do
  _ <- forkIO (void (evaluate (ballots "zoe")))
  threadDelay 100000
  forM_ [1 .. 30 :: Int] $ \box -> putStrLn ("[info] counted box " ++ show box)
run "stack" = print (foldr (+) 0 [1 .. 100000000 :: Integer])
run "heap" = let xs = [1 .. 500000000 :: Integer] in print (sum xs, length xs)
run "process" = callProcess "tally-convert" []
run "assert" = assert (length "a" > 3) (putStrLn "x") -- culprit: assert
run "exit" = hPutStrLn stderr "tally: no ballots" >> exitWith (ExitFailure 4)
run _ = putStrLn "nothing"
