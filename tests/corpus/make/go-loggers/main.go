// tallyd crashes with the loggers, frameworks and helpers that Go services use: `tallyd CRASH`.
package main

import (
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/gin-gonic/gin"
	pkgerrors "github.com/pkg/errors"
	"github.com/rs/zerolog"
	zlog "github.com/rs/zerolog/log"
	zpkgerrors "github.com/rs/zerolog/pkgerrors"
	"github.com/sirupsen/logrus"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/klog/v2"
)

type Tally struct{ counts []int }

//go:noinline
func (t *Tally) At(i int) int {
	return t.counts[i] // culprit: at
}

//go:noinline
func connect() error {
	_, err := net.DialTimeout("tcp", "127.0.0.1:1", 300*time.Millisecond)
	return fmt.Errorf("open tally store: %w", err) // culprit: connect
}

//go:noinline
func tracedConnect() error {
	return pkgerrors.Wrap(connect(), "start")
}

func zapLogger() *zap.Logger {
	logger, err := zap.NewProduction()
	if err != nil {
		log.Fatal(err)
	}
	for i := 0; i < 20; i++ {
		logger.Info("counted", zap.Int("tally", i))
	}
	return logger
}

func zapFatal() {
	zapLogger().Fatal("cannot start", zap.Error(connect())) // culprit: zap-fatal
}

func zapPlainFatal() {
	zapLogger().Fatal("the tally does not add up", zap.Int("missing", 3)) // culprit: zap-plain-fatal
}

func zapConsole() {
	logger, _ := zap.NewDevelopment()
	logger.Info("counted")
	logger.Fatal("cannot start", zap.Error(connect())) // culprit: zap-console
}

func zapPanic() {
	zapLogger().Panic("the tally does not add up") // culprit: zap-panic
}

func zeroFatal() {
	zerolog.ErrorStackMarshaler = zpkgerrors.MarshalStack
	for i := 0; i < 20; i++ {
		zlog.Info().Int("tally", i).Msg("counted")
	}
	zlog.Fatal().Stack().Err(tracedConnect()).Msg("cannot start")
}

func logrusFatal() {
	logrus.SetFormatter(&logrus.TextFormatter{DisableColors: true, FullTimestamp: true})
	logrus.Info("counted")
	logrus.WithError(connect()).Fatal("cannot start")
}

func logrusJSON() {
	logrus.SetFormatter(&logrus.JSONFormatter{})
	logrus.Info("counted")
	logrus.WithError(connect()).Fatal("cannot start")
}

func slogExit(handler slog.Handler) {
	logger := slog.New(handler)
	logger.Info("counted", "tally", 3)
	logger.Error("cannot start", "err", connect())
	os.Exit(1)
}

func klogFatal() {
	klog.Infof("counted %d", 3)
	klog.Fatalf("cannot start: %v", connect()) // culprit: klog-fatal
}

func handleCrash() {
	defer utilruntime.HandleCrash()
	klog.Infof("counted %d", 3)
	(&Tally{}).At(3)
}

func ginServe() {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.Use(gin.Logger(), gin.Recovery())
	engine.GET("/tally", func(c *gin.Context) { c.JSON(200, (&Tally{}).At(3)) })
	server := httptest.NewServer(engine)
	for i := 0; i < 3; i++ {
		http.Get(server.URL + "/tally")
	}
	terminate()
}

func terminate() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	syscall.Kill(os.Getpid(), syscall.SIGTERM)
	log.Printf("received %v, draining connections", <-signals)
	os.Exit(143)
}

func jsonStack() {
	logger := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	defer func() {
		if r := recover(); r != nil {
			logger.Error("job failed", "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			os.Exit(1)
		}
	}()
	(&Tally{}).At(3)
}

func flight() {
	var group singleflight.Group
	group.Do("tally", func() (any, error) { return (&Tally{}).At(3), nil })
}

func group() {
	var group errgroup.Group
	group.Go(func() error { (&Tally{}).At(3); return nil })
	log.Print(group.Wait())
}

func main() {
	crashes := map[string]func(){
		"zap-fatal": zapFatal, "zap-plain-fatal": zapPlainFatal, "zap-console": zapConsole, "zap-panic": zapPanic,
		"zero-fatal": zeroFatal, "logrus-fatal": logrusFatal, "logrus-json": logrusJSON,
		"slog-json":  func() { slogExit(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{AddSource: true})) },
		"slog-text":  func() { slogExit(slog.NewTextHandler(os.Stderr, nil)) },
		"klog-fatal": klogFatal, "handle-crash": handleCrash, "gin": ginServe, "json-stack": jsonStack,
		"singleflight": flight, "errgroup": group,
	}
	crashes[os.Args[1]]()
}
