<?php
// An MT5 Web API client from the protocol document alone, with PHP's curl: one handle for everything.
[, $host, $port] = $argv;
$curl = curl_init();
curl_setopt_array($curl, [
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_SSL_VERIFYPEER => false,
    CURLOPT_SSL_VERIFYHOST => 0,
    CURLOPT_MAXCONNECTS => 1,
]);

function ask(string $path, array $query = [], ?array $body = null): array
{
    global $curl, $host, $port;
    $target = "https://$host:$port/api/$path" . ($query ? '?' . http_build_query($query, '', '&', PHP_QUERY_RFC3986) : '');
    curl_setopt($curl, CURLOPT_URL, $target);
    if ($body === null) {
        curl_setopt_array($curl, [CURLOPT_HTTPGET => true, CURLOPT_HTTPHEADER => ['Connection: keep-alive']]);
    } else {
        curl_setopt_array($curl, [
            CURLOPT_POST => true,
            CURLOPT_POSTFIELDS => json_encode($body, JSON_UNESCAPED_UNICODE),
            CURLOPT_HTTPHEADER => ['Connection: keep-alive', 'Expect:'],
        ]);
    }
    $text = curl_exec($curl);
    if ($text === false) {
        exit(curl_error($curl) . "\n");
    }
    return [curl_getinfo($curl, CURLINFO_RESPONSE_CODE), json_decode($text, true) ?? []];
}

function answer(string $path, array $query = [], ?array $body = null): array
{
    [$status, $reply] = ask($path, $query, $body);
    if (!str_starts_with($reply['retcode'] ?? '', '0 ')) {
        exit("$path: $status " . json_encode($reply) . "\n");
    }
    return $reply['answer'] ?? $reply;
}

$secret = md5(md5(mb_convert_encoding('Password1', 'UTF-16LE', 'UTF-8'), true) . 'WebAPI', true);
$start = answer('auth/start', ['version' => 484, 'agent' => 'php', 'login' => 1000, 'type' => 'manager']);
$mine = random_bytes(16);
$proof = md5($secret . hex2bin($start['srv_rand']));
$finish = answer('auth/answer', ['srv_rand_answer' => $proof, 'cli_rand' => bin2hex($mine)]);
if ($finish['cli_rand_answer'] !== md5($secret . $mine)) {
    exit("the server does not know the password\n");
}

function deal(array $request): array
{
    $id = answer('dealer/send_request', [], $request)['id'];
    while (true) {
        foreach (answer('dealer/get_request_result', ['id' => $id])[$id] as $event) {
            if (isset($event['answer'])) {
                return $event['answer'];
            }
        }
        usleep(20000);
    }
}

$tick = answer('tick/last', ['symbol' => 'EURUSD', 'trans_id' => 0])[0];
$order = ['Action' => '200', 'Login' => '1001', 'Symbol' => 'EURUSD', 'Volume' => '100', 'TypeFill' => '0', 'Type' => '0', 'Digits' => '5'];
$opened = deal(['PriceOrder' => $tick['Ask']] + $order);
$closed = deal(['Type' => '1', 'PriceOrder' => $tick['Bid'], 'Position' => $opened['Position']] + $order);
$client = answer('client/add', [], ['PersonName' => 'Ада', 'PersonLastName' => 'PHP']);
$before = answer('user/get', ['login' => 1090]);
$updated = answer('user/update', [], ['Login' => '1090', 'Comment' => 'php']);
$ever = ['login' => 1001, 'from' => 0, 'to' => 4102444800];
$group = answer('user/group', ['login' => 1001]);
echo json_encode([
    'group' => $group['group'] ?? $group['Group'],
    'users' => answer('user/total')['total'],
    'marginInitialBuy' => answer('symbol/get', ['symbol' => 'EURUSD'])['MarginInitialBuy'],
    'opened' => explode(' ', $opened['ResultRetcode'])[0],
    'closed' => explode(' ', $closed['ResultRetcode'])[0],
    'client' => answer('client/get', ['id' => $client['RecordID']])[0]['PersonName'],
    'kept' => $updated['Name'] === $before['Name'] && $updated['Comment'] === 'php',
    'all' => count(answer('deal/get_page', $ever + ['offset' => 0, 'total' => 0])) === (int) answer('deal/get_total', $ever)['total'],
    'unknown' => ask('none/such')[0],
], JSON_UNESCAPED_UNICODE), "\n";
answer('quit');
