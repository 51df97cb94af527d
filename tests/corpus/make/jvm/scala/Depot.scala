package com.acme.depot

import scala.concurrent.{Await, ExecutionContext, Future}
import scala.concurrent.duration._

class Shelf(index: Map[String, Int]) {
  def find(crate: String): Int =
    index(crate) // culprit: scala-missing

  def first(name: Option[String]): String =
    name.get // culprit: scala-none

  def kind(value: Any): String = value match { // culprit: scala-match
    case text: String => text
  }

  def average(total: Int): Int =
    Seq(total).map(each => each / index.size).head // culprit: scala-future
}

object Depot {
  def main(args: Array[String]): Unit = {
    println("2026-11-24 04:30:45.100 INFO  depot - started")
    val shelf = new Shelf(Map.empty)
    args(0) match {
      case "missing" => shelf.find("A-7")
      case "none" => shelf.first(None)
      case "match" => shelf.kind(7)
      case "future" =>
        implicit val context: ExecutionContext = ExecutionContext.global
        Await.result(Future(shelf.average(7)), 5.seconds)
    }
  }
}
