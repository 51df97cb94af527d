package com.acme.shop
import zio._
object Cart { def average(n: Int): Int = 100 / n; def find(k: String): String = Map("B-7" -> "x")(k); case class OutOfStock(sku: String) extends RuntimeException(s"out of stock: $sku"); case object Sealed extends Exception("sealed"); sealed trait E; final case class Gone(sku: String) extends E } // «zio-die» // «zio-defect» // «cats-die» // «pekko-main»
object ZioDie extends ZIOAppDefault { def run = ZIO.logInfo("starts") *> ZIO.attempt(Cart.average(0)).flatMap(n => Console.printLine(n)) }
object ZioDefect extends ZIOAppDefault { def run = ZIO.logInfo("starts") *> ZIO.succeed(Cart.find("A-7")).flatMap(n => Console.printLine(n)) }
object ZioFail extends ZIOAppDefault { def run = ZIO.logInfo("starts") *> ZIO.fail(Cart.Gone("A-7")) } // «zio-fail»
object ZioFiber extends ZIOAppDefault { def run = for { f <- ZIO.attempt(new java.net.Socket("127.0.0.1", 5499)).fork; _ <- f.join } yield () } // «zio-fiber»
object ZioConfig extends ZIOAppDefault { def run = ZIO.config(Config.string("ledger_url")).flatMap(x => Console.printLine(x)) } // «zio-config»
object ZioLayer extends ZIOAppDefault { class Db(u: String); val db: ZLayer[Any, Throwable, Db] = ZLayer(ZIO.attempt{ new java.net.Socket("db.invalid", 5432); new Db("x") }); def run = ZIO.service[Db].flatMap(_ => ZIO.unit).provide(db) } // «zio-layer»
object CatsDie extends cats.effect.IOApp.Simple { import cats.effect.IO; def run = IO.println("starts") >> IO(Cart.average(0)).flatMap(n => IO.println(n)) }
object CatsFiber extends cats.effect.IOApp.Simple { import cats.effect.IO; def run = IO.println("starts") >> IO(new java.net.Socket("127.0.0.1", 5499)).start.flatMap(_.joinWithNever).void } // «cats-fiber»
object CatsRaise extends cats.effect.IOApp.Simple { import cats.effect.IO; def run = IO.raiseError(Cart.OutOfStock("A-7")) } // «cats-raise»
object PekkoMain { import org.apache.pekko.actor.typed._; import org.apache.pekko.actor.typed.scaladsl.Behaviors
  def cart: Behavior[String] = Behaviors.receive { (c, m) => c.log.info("got {}", m); Cart.average(m.toInt); Behaviors.same }
  def main(a: Array[String]): Unit = { val s = ActorSystem(cart, "shop"); s ! "5"; s ! "0"; scala.concurrent.Await.result(s.whenTerminated, scala.concurrent.duration.Duration(5, "s")); sys.exit(1) } }
object PekkoOom { import org.apache.pekko.actor.typed._; import org.apache.pekko.actor.typed.scaladsl.Behaviors
  def cart: Behavior[String] = Behaviors.receive { (c, m) => var l = List[Array[Byte]](); while (true) l = new Array[Byte](1 << 20) :: l; Behaviors.same } // «pekko-oom»
  def main(a: Array[String]): Unit = { val s = ActorSystem(cart, "shop"); s ! "5"; Thread.sleep(5000) } }
object Plain { def main(a: Array[String]): Unit = a(0) match {
  case "map" => Cart.find("A-7"); case "obj" => throw Cart.Sealed; case "case" => throw Cart.OutOfStock("A-7"); case "require" => require(a.length > 3, "three arguments"); case "assert" => assert(a.length > 3, "three"); case "opt" => (None: Option[String]).get; case "head" => List[Int]().head; case "todo" => ???; case "either" => (Left("x"): Either[String,Int]).toOption.get; case "try" => scala.util.Try(Cart.average(0)).get; case "future" => import scala.concurrent._; import ExecutionContext.Implicits.global; Await.result(Future(Cart.average(0)), duration.Duration(2,"s")); case "awaitto" => import scala.concurrent._; Await.result(Promise[Int]().future, duration.Duration(1,"s")); case "init" => Lazy.x; case "so" => def f(n: Int): Int = 1 + f(n + 1); f(0); case "cast" => (a(0): Any).asInstanceOf[Integer].intValue; case "nul" => val s: String = null; s.length } } // «scala-require» // «scala-todo» // «scala-awaitto»
object Lazy { val x: Int = sys.env("LEDGER_PORT").toInt } // «scala-init»
