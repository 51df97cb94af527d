// Package api serves the shop over HTTP.
package api

import (
	"encoding/json"
	"net/http"

	"github.com/acme/shop/internal/cart"
	"github.com/acme/shop/internal/catalog"
)

// Server answers the shop's requests.
type Server struct {
	store *catalog.Store
	cache *catalog.Cache
	carts *cart.Carts
}

// New returns a server over the catalogue, with empty carts.
func New(store *catalog.Store) *Server {
	return &Server{store: store, cache: catalog.NewCache(store), carts: cart.New()}
}

// Handler is the service's routing table.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /products", s.listProducts)
	mux.HandleFunc("GET /products/{sku}", s.showProduct)
	mux.HandleFunc("GET /popular", s.popular)
	mux.HandleFunc("GET /cart/{customer}", s.showCart)
	mux.HandleFunc("POST /cart/{customer}/{sku}", s.addToCart)
	return mux
}

func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	w.Write([]byte("ok\n"))
}

// pageSize is how many products the front page shows.
const pageSize = 8

// frontPage is what GET /products answers.
type frontPage struct {
	Products []catalog.Product `json:"products"`
	Total    int               `json:"total"`
	From     int               `json:"from_cents"`
}

// listProducts shows the first products, and from which price on there is something at all.
func (s *Server) listProducts(w http.ResponseWriter, _ *http.Request) {
	var page frontPage
	for _, sku := range s.store.SKUs() {
		product, ok := s.cache.Get(sku)
		if !ok {
			continue
		}
		if page.Total == 0 || product.Cents < page.From {
			page.From = product.Cents
		}
		if page.Total++; page.Total <= pageSize {
			page.Products = append(page.Products, product)
		}
	}
	reply(w, page)
}

func (s *Server) showProduct(w http.ResponseWriter, r *http.Request) {
	product, ok := s.cache.Get(r.PathValue("sku"))
	if !ok {
		http.Error(w, "no such product", http.StatusNotFound)
		return
	}
	reply(w, product)
}

func (s *Server) popular(w http.ResponseWriter, _ *http.Request) {
	reply(w, s.cache.Popular(10))
}

func (s *Server) showCart(w http.ResponseWriter, r *http.Request) {
	reply(w, s.carts.Items(r.PathValue("customer")))
}

func (s *Server) addToCart(w http.ResponseWriter, r *http.Request) {
	sku := r.PathValue("sku")
	if _, ok := s.store.Find(sku); !ok {
		http.Error(w, "no such product", http.StatusNotFound)
		return
	}
	reply(w, map[string]int{"items": s.carts.Add(r.PathValue("customer"), sku)})
}

func reply(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(body)
}
