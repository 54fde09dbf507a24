// goredis host:port,… NAME: creates users through go-redis' failover client; see failover.py.
package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	redis "gopkg.in/redis.v5"
)

func main() {
	client := redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName:    "gatehouse",
		SentinelAddrs: strings.Split(os.Args[1], ","),
		DialTimeout:   2 * time.Second,
		ReadTimeout:   2 * time.Second,
		WriteTimeout:  2 * time.Second,
	})
	for number := 1; ; number++ {
		name := fmt.Sprintf("%s%d", os.Args[2], number)
		command := redis.NewCmd("USER.CREATE", name, "PRODUCT", "payroll", "STATUS", "active")
		if err := client.Process(command); err != nil {
			fmt.Println("failed", err)
		} else {
			fmt.Println("ok", name)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
